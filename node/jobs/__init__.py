"""Jobs: worker processes or a Dask cluster."""
