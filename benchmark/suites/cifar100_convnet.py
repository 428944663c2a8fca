"""CIFAR-100 of Table 3 in small: a ConvNet of four layers and a short schedule, for machines without a GPU."""

from benchmark.suites._small_cifar import SmallCIFAR
from benchmark.suites.cifar100 import CIFAR100


class CIFAR100ConvNet(SmallCIFAR, CIFAR100):
    """The data of the suite `cifar100` and its sizes of sets; see `SmallCIFAR` for what differs from the paper."""
