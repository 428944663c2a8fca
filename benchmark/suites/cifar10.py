"""CIFAR-10 with few labels and a generated auxiliary task: Table 3 of the paper."""

from benchmark.suites._cifar import FewCIFAR


class CIFAR10(FewCIFAR):
    """10 classes of 32 x 32 pixels; see `FewCIFAR` for what of its settings is known."""

    citation = "Krizhevsky, 2009; Navon et al., ICLR 2021, Table 3"
    datasets = ("cifar10",)
    main_task = "10 classes of 32 x 32 pixels, labels for 5, 10 or 15 % of the training images"
    auxiliary_share = 0.015
    mean, std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
