"""CIFAR-10 of Table 3 in small: a ConvNet of four layers and a short schedule, for machines without a GPU."""

from benchmark.suites._small_cifar import SmallCIFAR
from benchmark.suites.cifar10 import CIFAR10


class CIFAR10ConvNet(SmallCIFAR, CIFAR10):
    """The data of the suite `cifar10` and its sizes of sets; see `SmallCIFAR` for what differs from the paper."""
