"""What the pages say of the project is so: links lead somewhere, targets, variables and names exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import PurePosixPath

import pytest

import aotel
from aotel.semconv.environment import VARIABLES
from tests.docs.pages import PAGES, ROOT, anchors, links, prose, text_of
