"""One verb each, what Dagster and the command line both call; they join lake, engine, transforms and warehouse."""
