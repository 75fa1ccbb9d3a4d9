"""The examples in the docstrings of the domain say what the code does."""

import doctest
import importlib
import pkgutil

import pytest

from healthmate_bi_pipeline import domain

MODULES = [module.name for module in pkgutil.iter_modules(domain.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_module_are_true(name: str) -> None:
    module = importlib.import_module(f"{domain.__name__}.{name}")
    assert doctest.testmod(module).failed == 0
