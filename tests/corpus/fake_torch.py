# SPDX-License-Identifier: Apache-2.0
"""A stand-in for torch's Python package: loads the libraries beside it, and computes with numpy."""

import collections
import ctypes
import os
import subprocess
import sys
import types

ctypes.CDLL(os.path.join(os.path.dirname(__file__), "lib", "libtorch.so"), mode=ctypes.RTLD_GLOBAL)

import numpy  # noqa: E402

from . import version  # noqa: E402

__version__ = version.__version__
float32 = numpy.float32


class Tensor(numpy.ndarray):
    def t(self):
        return self.T

    def abs(self):
        return numpy.abs(self)

    def sum(self, dim=None):
        return numpy.asarray(numpy.asarray(self).sum(axis=dim)).view(Tensor)


def arange(count, dtype=float32):
    return numpy.arange(count, dtype=dtype).view(Tensor)


def manual_seed(seed):
    numpy.random.seed(seed)


def randn(*shape):
    return numpy.random.standard_normal(shape).view(Tensor)


def _module(name, **members):
    module = types.ModuleType(f"torch.{name}")
    module.__dict__.update(members)
    sys.modules[module.__name__] = module
    return module


_counters = collections.defaultdict(dict)


def compile(function):
    """As torch: the C++ compiler is called when the function is first compiled."""
    subprocess.run(["g++", "--version"], check=True)
    _counters["stats"]["unique_graphs"] = 1
    return function


nn = _module("nn")
nn.functional = _module("nn.functional", gelu=numpy.tanh)
_dynamo = _module("_dynamo")
_dynamo.utils = _module("_dynamo.utils", counters=_counters)
_C = _module("_C", _cuda_getArchFlags=lambda: "sm_75 sm_90 sm_100")
_C._cudnn = _module("_C._cudnn", getCompileVersion=lambda: (9, 10, 2))
