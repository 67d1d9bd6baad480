"""Guesses from names and sizes whether compression makes the files of a tree smaller.

There is one guess for the whole tree, because rsync compresses all files of a transfer or none: with every kind of
compression it ignores --skip-compress (measured with 3.5).
"""

import os
from collections.abc import Iterable, Iterator

TEXT = frozenset([
    "txt", "log", "csv", "tsv", "json", "jsonl", "ndjson", "py", "ipynb", "md", "rst", "html", "xml", "svg",
    "yaml", "yml", "toml", "ini", "cfg", "conf", "sh", "c", "h", "cc", "cpp", "hpp", "cu", "rs", "go", "js",
    "ts", "css", "java", "sql", "tex", "bib", "srt", "vtt", "fasta", "fastq", "sam", "vcf", "pdb", "obj",
    "ply", "geojson",
])  # fmt: skip
# bytes; a larger file that is not text, such as a checkpoint or an archive, turns compression off for the whole
# tree
SMALL = 1_000_000
SHARE = 0.9  # the least share of text in all bytes; with less text, nothing is compressed
MOST = 3000  # the most files that are looked at


def pays(paths: Iterable[str]) -> bool:
    """Whether nearly all bytes below these paths are text, and each large file is text."""
    text = total = 0
    for number, (name, size) in enumerate(_files(paths)):
        is_text = name.rpartition(".")[2].lower() in TEXT
        if number >= MOST:
            break
        if size > SMALL and not is_text:
            return False
        total += size
        text += size if is_text else 0
    return total > 0 and text >= SHARE * total


def _files(paths: Iterable[str]) -> Iterator[tuple[str, int]]:
    for path in paths:
        if os.path.isfile(path):  # noqa: PTH113 - text in, text out
            yield path, os.path.getsize(path)  # noqa: PTH202
        for folder, _, names in os.walk(path):
            for name in names:
                try:
                    yield name, os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118
                except OSError:
                    continue
