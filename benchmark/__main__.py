"""Which commands there are."""

import sys

COMMANDS = {
    "run": "compare methods on a suite: search, repeat, tabulate",
    "report": "tables, comparisons and figures from records",
    "prepare": "find or download, verify and decode the data of a suite",
    "figures": "the paper's own figures",
    "speed": "measure what methods, data and the harness cost",
}


def main() -> int:
    """Print the commands of the benchmark."""
    print("\n".join(f"python -m benchmark.{name:<8} {what}" for name, what in COMMANDS.items()))
    print("\nEach takes --help; python -m benchmark.run --list names suites and methods.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
