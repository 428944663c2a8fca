"""Auxiliary learning: one interface for methods, and AuxiLearn by implicit differentiation."""

from auxilearn.method import Method, Problem, stateless_call, task_means

__all__ = ["Method", "Problem", "stateless_call", "task_means"]
