"""Auxiliary learning: one interface for methods, and AuxiLearn by implicit differentiation."""

from auxilearn.auxilearn import AuxiLearn, Batches
from auxilearn.averages import EpochMean
from auxilearn.combiners import Combiner, ConvCombiner, DeepLinearCombiner, LinearCombiner, NonlinearCombiner
from auxilearn.generators import LabelGenerator, LabelProblem, LabelSource, masked_softmax, soft_target_loss
from auxilearn.hypergradient import hypergradient, mixed_partial
from auxilearn.method import Method, Problem, stateless_call, task_means
from auxilearn.task_gradients import GradientWeighting, split_parameters

__all__ = [
    "AuxiLearn",
    "Batches",
    "Combiner",
    "ConvCombiner",
    "DeepLinearCombiner",
    "EpochMean",
    "GradientWeighting",
    "LabelGenerator",
    "LabelProblem",
    "LabelSource",
    "LinearCombiner",
    "Method",
    "NonlinearCombiner",
    "Problem",
    "hypergradient",
    "masked_softmax",
    "mixed_partial",
    "soft_target_loss",
    "split_parameters",
    "stateless_call",
    "task_means",
]
