"""CIFAR-100 with few labels and a generated auxiliary task: Table 3 of the paper."""

from benchmark.suites._cifar import FewCIFAR


class CIFAR100(FewCIFAR):
    """100 classes of 32 x 32 pixels; see `FewCIFAR` for what of its settings is known."""

    citation = "Krizhevsky, 2009; Navon et al., ICLR 2021, Table 3"
    datasets = ("cifar100",)
    main_task = "100 classes of 32 x 32 pixels, labels for 5, 10 or 15 % of the training images"
    auxiliary_share = 0.025
    mean, std = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)
