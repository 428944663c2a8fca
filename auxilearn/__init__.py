"""Auxiliary learning: one interface for methods, and AuxiLearn by implicit differentiation."""

from auxilearn.auxilearn import AuxiLearn, Batches
from auxilearn.averages import EpochMean
from auxilearn.combiners import Combiner, ConvCombiner, DeepLinearCombiner, LinearCombiner, NonlinearCombiner
from auxilearn.generators import (
    LabelGenerator,
    LabelMethod,
    LabelProblem,
    LabelSource,
    labels_are_generated,
    masked_softmax,
    soft_target_loss,
)
from auxilearn.gradient_weighting import GradientWeighting, Parts
from auxilearn.hypergradient import hypergradient, mixed_partial
from auxilearn.look_ahead import look_ahead_gradient
from auxilearn.method import Method, Problem, stateless_call, task_means
from auxilearn.task_gradients import split_parameters

__all__ = [
    "AuxiLearn",
    "Batches",
    "Combiner",
    "ConvCombiner",
    "DeepLinearCombiner",
    "EpochMean",
    "GradientWeighting",
    "LabelGenerator",
    "LabelMethod",
    "LabelProblem",
    "LabelSource",
    "LinearCombiner",
    "Method",
    "NonlinearCombiner",
    "Parts",
    "Problem",
    "hypergradient",
    "labels_are_generated",
    "look_ahead_gradient",
    "masked_softmax",
    "mixed_partial",
    "soft_target_loss",
    "split_parameters",
    "stateless_call",
    "task_means",
]
