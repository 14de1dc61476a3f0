"""How the snapshot writes objects: what it knows by type, and of the rest the name of the type."""

from __future__ import annotations

import array
import weakref
from collections import deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import islice
from pathlib import PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from aotel.content import arrays, records
from aotel.content.describe import NOT_DESCRIBED, describe
from aotel.content.encode import to_json
from aotel.content.media import digest, encoded
from aotel.content.snapshot import CUT, write_float, write_int
from aotel.content.types import instance_dict, mro_of, type_name
