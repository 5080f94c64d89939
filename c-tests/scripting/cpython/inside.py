# What host.c runs: the tests of a module, over subpy.
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import forms  # noqa: the modules that the tests import

with open(os.environ['PLAY_FILE']) as file:
    exec(compile(file.read(), 'play.py', 'exec'))
