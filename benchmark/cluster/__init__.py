"""Dask clusters that cells run on: local processes, a running cluster, Slurm jobs. Nothing else here knows of Dask."""
