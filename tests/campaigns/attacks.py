"""Ways to spoil a run folder on purpose: what is changed has manifests that say it is whole."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Mapping

import numpy as np
import safetensors.numpy

from downslope.storage import manifest
from downslope.storage.checkpoints import step_of
from downslope.storage.manifest import Mark
from tests.campaigns.corruptions import (
    CHANGES,
    OWN,
    STATES,
    Bases,
    Change,
    Files,
    Way,
    read_names,
    seal,
    swapped,
    understood_names,
)  # fmt: skip

TEXTS = ("", "x" * 100_000, "../../outside", "/etc/passwd", "a\0b", "\x1b[2J", "cross_entropy")
NUMBERS = (-1, 0, 1, 3, 2**31, 2**53, 2**63, 2**70, 10**30, 0.5, -0.0, 1e308, 5e-324)
VALUES = (*TEXTS, *NUMBERS, None, True, [], {}, [[]], {"a": 1}, [-1], [2**40, 2**40], "NaN")
NETWORKS = (
    "dense 99999999999, dense 99999999999", "dense " + "9" * 5000, "dense inf", "dense nan",
    "dense 1, " * 20_000 + "dense 2", "residual (" * 5000 + "dense 2" + ")" * 5000,
    "residual (" * 300 + "dense 2" + ")" * 300, "conv 3 9999999999", "conv 3 3 dilation=9999999999",
    "upsample 99999999, flatten, dense 2", "flatten, " * 900 + "dense 2", "layer_norm",
    "(" * 60_000, "parallel (dense 1 | dense 1)", "embed 99999999999 99999999",
    "group_norm 3", "dropout 0.5",
    "dense 2 activation=__import__", "dense 2,", "max_pool 99999999999", "standardize",
    ", ".join(f"dense {width}" for width in range(1, 120)),
)  # fmt: skip


def indices(value: object, at: tuple = ()) -> list[tuple]:
    """The index of each value inside a document."""
    inner = [at] if at else []
    if isinstance(value, dict):
        inner += [one for key, own in value.items() for one in indices(own, (*at, key))]
    if isinstance(value, list):
        inner += [one for key, own in enumerate(value) for one in indices(own, (*at, key))]
    return inner


def _text_changed(draw: random.Random, content: bytes) -> bytes:
    """Change what a document says."""
    document = json.loads(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        *outer, last = draw.choice(indices(document))
        holder = document
        for key in outer:
            holder = holder[key]
        way = draw.randrange(8)
        if way == 0:
            del holder[last]
        elif way == 1 and isinstance(holder, dict):
            holder[draw.choice(("more", "__class__", "trace", last + "x"))] = draw.choice(VALUES)
        elif way == 2 and isinstance(holder, list):
            holder.extend([holder[last]] * draw.choice((1, 1000)))
        elif way == 3 and isinstance(holder[last], int | float):
            holder[last] += draw.choice((-1, 1, 0.5, 1000))
        elif last == "network" or way == 4:
            document["network"] = draw.choice(NETWORKS)
        else:
            holder[last] = draw.choice(VALUES)
    return json.dumps(document).encode()


def _text_bomb(draw: random.Random, content: bytes) -> bytes:
    """Make a document that takes much memory, or none that is meant as one."""
    lines = content.decode()
    return draw.choice(
        (
            lambda: lines.replace("{", '{"format": 7, "format": 2,', 1).encode(),
            lambda: b'{"data":' * 100_000,
            lambda: b"[" * 3_000_000,
            lambda: lines.replace('"findings"', '"versions": {"a":"b"}, "findings"').encode(),
            lambda: b'{"data": {"class_names": [' + b'"a",' * 1_500_000 + b'"b"]}}',
            lambda: b'{"data": {"options": {"a": [' + b"{}," * 1_500_000 + b"1]}}}",
            lambda: lines.replace('"network": "', '"network": "' + " " * 3_000_000).encode(),
            lambda: lines.replace('"seconds"', '"seconds": NaN, "x"').encode(),
            lambda: lines.encode("utf-16"),
            lambda: lines.encode().replace(b'"name": "', b'"name": "\xff\xfe'),
        )
    )()


# ---- on purpose: arrays


def _arrays_changed(draw: random.Random, content: bytes) -> bytes:
    """Change an array's shape, type or numbers, or its name."""
    arrays = dict(safetensors.numpy.load(content))
    name = draw.choice(sorted(arrays))
    one = arrays[name]
    ways: dict[str, Callable[[], object]] = {
        "flat": lambda: one.reshape(-1)[:, None],
        "turned": lambda: np.ascontiguousarray(one.T)[None],
        "empty": lambda: one.reshape(-1)[:0],
        "scalar": lambda: np.ones((), one.dtype),
        "long": lambda: np.zeros(100_000, one.dtype),
        "other type": lambda: one.astype(draw.choice(("f8", "f2", "i8", "u1", "?", "u8"))),
        "no number": lambda: np.full_like(one, np.nan if one.dtype.kind == "f" else 77),
        "endless": lambda: np.full_like(one, np.inf if one.dtype.kind == "f" else 99),
        "zero": lambda: np.zeros_like(one),
        "deep": lambda: one.reshape((1,) * 30 + one.shape),
        "order": lambda: one[::-1].copy() if one.ndim else one + one.dtype.type(1),
    }
    way = draw.choice([*ways, "gone", "more"])
    if way == "gone":
        del arrays[name]
    elif way == "more":
        arrays[draw.choice(("../x", "9.weights", "trace.steps.x", "a" * 9999))] = one
    else:
        arrays[name] = np.ascontiguousarray(ways[way]()) if one.ndim else np.asarray(ways[way]())
    return safetensors.numpy.save(arrays)


def _head_changed(draw: random.Random, content: bytes) -> bytes:
    """Change what the head of a file of arrays claims."""
    size = struct.unpack("<Q", content[:8])[0]
    head, values = json.loads(content[8 : 8 + size]), content[8 + size :]
    name = draw.choice([one for one in head if one != "__metadata__"])
    own = head[name]
    way = draw.randrange(10)
    if way == 0:
        own["dtype"] = draw.choice(("BF16", "F8_E4M3", "BOOL", "C64", "F4", "object", "U16"))
    elif way == 1:
        own["shape"] = draw.choice(([2**40, 2**40], [2**63], [-1], [0, 2**62], [1] * 70, [2.5]))
    elif way == 2:
        own["data_offsets"] = draw.choice(([0, 2**60], [8, 4], [-4, 0], [2**70, 2**71], [0]))
    elif way == 3:
        head["again"] = own
    elif way == 4:
        text = json.dumps(head)
        return _headed((text[:-1] + f', "{name}": {json.dumps(own)}}}').encode(), values)
    elif way == 5:
        head |= {f"e{at}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
                 for at in range(40_000)}  # fmt: skip
    elif way == 6:
        return _headed(b'{"a":' * 400_000, values)
    elif way == 7:
        return struct.pack("<Q", draw.choice((2**63, 2**40, len(content), 0))) + content[8:]
    elif way == 8:
        head["__metadata__"] = {f"k{at}": "v" * 10 for at in range(20_000)}
    else:
        head[name] = draw.choice((None, [], {}, {"dtype": "F32"}, 7))
    return _headed(json.dumps(head).encode(), values)


def _headed(head: bytes, values: bytes) -> bytes:
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + values


# ---- on purpose: the trace


def _trace_changed(draw: random.Random, content: bytes) -> bytes:
    """Change the columns of a trace, as our own writer would write them."""
    columns = dict(safetensors.numpy.load(content))
    name = draw.choice(sorted(columns))
    one = columns[name]
    part = {key: own for key, own in columns.items() if key.split(".")[0] == name.split(".")[0]}
    ways: dict[str, Callable[[], object]] = {
        "gone": lambda: columns.pop(name),
        "more": lambda: columns.update({draw.choice(("more", f"{name}x", "steps.more")): one}),
        "shorter": lambda: columns.update({key: own[:-1] for key, own in part.items()}),
        "turned": lambda: columns.update({key: own[::-1].copy() for key, own in part.items()}),
        "other type": lambda: columns.update({name: one.astype(draw.choice(("f8", "f4", "i8")))}),
        "more by one": lambda: columns.update({name: one + one.dtype.type(1)}),
        "all the same": lambda: columns.update({name: np.full_like(one, -7)}),
        "twice": lambda: columns.update({key: np.tile(own, 2) for key, own in part.items()}),
    }
    ways[draw.choice(sorted(ways))]()
    return safetensors.numpy.save(columns)


def on_purpose(draw: random.Random, files: Files, kinds: Mapping[str, tuple[Change, ...]]) -> Files:
    """Change one file by a way that suits it, and make the manifests anew."""
    ends = tuple(kinds)
    names = [name for name in read_names(files) if name.endswith(ends)]
    names = [name for name in names if name not in (OWN, STATES)]
    if not names:
        return state_document(draw, files)
    name = draw.choice(names)
    content = files[name]
    assert isinstance(content, bytes)
    return seal(
        {
            **files,
            name: draw.choice(next(kinds[end] for end in ends if name.endswith(end)))(
                draw, content
            ),
        }
    )


def _document_in_state(draw: random.Random, content: bytes) -> bytes:
    """Change the document inside a checkpoint."""
    arrays = dict(safetensors.numpy.load(content))
    text = arrays["document"].tobytes()
    spoilt = draw.choice((_text_changed, _text_changed, _text_bomb))(draw, text)
    arrays["document"] = np.frombuffer(spoilt, np.uint8)
    return safetensors.numpy.save(arrays)


def state_document(draw: random.Random, files: Files, bases: Bases | None = None) -> Files:
    """Change the document of the last checkpoints."""
    states = [name for name in files if step_of(name.rpartition("/")[2]) is not None]
    spoilt = {name: _document_in_state(draw, files[name]) for name in states}
    return seal({**files, **spoilt})


def manifest_lies(draw: random.Random, files: Files, bases: Bases) -> Files:
    """Write manifests that name what they should not."""
    name = draw.choice([one for one in (OWN, STATES) if one in files])
    marks = json.loads(files[name])["files"]
    one = draw.choice(sorted(marks))
    state = f"step-9-{'0' * 8}.safetensors"
    way = draw.randrange(9)
    if way == 0:
        marks[one]["bytes"] = draw.choice((-1, 0, 2**40, 2**62, 2**70))
    elif way == 1:
        marks[one]["sha256"] = draw.choice(("", "0" * 64, "x" * 500_000))
    elif way == 2:
        marks[f"../outside/{one}"] = marks.pop(one)
    elif way == 3:
        marks[f"{bases.outside}/table/{one}"] = marks.pop(one)
    elif way == 4:
        marks |= {f"step-{at}-00000000.safetensors": marks[one] for at in range(5000)}
    elif way == 5:
        marks[f"step-{'9' * draw.choice((17, 30))}-00000000.safetensors"] = marks[one]
    elif way == 6:
        marks[draw.choice(("a\0b", "..", "", "/", "../" * 50 + state))] = marks.pop(one)
    elif way == 7:
        return {**files, name: b'{"files": ' + b'{"a":' * 100_000}
    else:
        marks.pop(one)
    try:
        text = manifest._encoded({key: Mark(**mark) for key, mark in marks.items()})
    except (OverflowError, TypeError):
        text = json.dumps({"files": marks, "sha256": "0"}).encode()
    return {**files, name: text}


TEXT_WAYS = {"json": (_text_changed, _text_changed, _text_changed, _text_bomb)}
ARRAY_WAYS = {"safetensors": (_arrays_changed, _head_changed)}
TRACE_WAYS = {"trace.safetensors": (_trace_changed, _trace_changed, _head_changed)}
ANY = {"json": CHANGES, "safetensors": CHANGES}

ATTACKS: dict[str, Way] = {
    "changed, sealed": lambda draw, files, bases: on_purpose(draw, files, ANY),
    "swapped, sealed": lambda draw, files, bases: seal(
        swapped(draw, files, bases, understood_names(files))
    ),
    "text, sealed": lambda draw, files, bases: on_purpose(draw, files, TEXT_WAYS),
    "arrays, sealed": lambda draw, files, bases: on_purpose(draw, files, ARRAY_WAYS),
    "trace, sealed": lambda draw, files, bases: on_purpose(draw, files, TRACE_WAYS),
    "text of a checkpoint, sealed": state_document,
    "lying manifest": manifest_lies,
}
