"""Uses a package when it is imported: in the zygote of workers, which are told to use it again."""

import os

import uses

getattr(uses, os.environ["PACKAGE"].replace("-", "_"))()
