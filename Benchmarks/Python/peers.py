#!/usr/bin/env python3
"""The peers whose libraries are in Python: one scenario of one peer, told as lines of JSON.

Run by tidemark-benchmarks; `--available` prints the peers whose library can be imported.
"""

import argparse
import importlib
import os
import time

import crdt_peers
from append_log import AppendLog
from measure import Memory, Stopwatch, directory_bytes, emit, percentile
from workload import batches, live_posts, read_edits, read_operations, read_posts

MODULES = {
    "automerge": "automerge.core",
    "loro": "loro",
    "pycrdt": "pycrdt",
    "objectbox": "objectbox",
}


def available():
    names = []
    for name, module in MODULES.items():
        try:
            importlib.import_module(module)
            names.append(name)
        except Exception:  # A library that does not load here is not there.
            pass
    return names


class LoggedPeer:
    """A CRDT document and the file that makes it durable."""

    def __init__(self, name, directory, is_full):
        self.document = crdt_peers.PEERS[name]()
        self.log = AppendLog(directory, is_full)
        self.log.append(self.document.first())

    def write(self, posts, operations):
        self.log.append(self.document.write(posts, operations))

    def close(self):
        self.log.close()


def open_peer(name, directory, is_full):
    if name == "objectbox":
        from objectbox_peer import ObjectBoxPeer

        return ObjectBoxPeer(directory)
    return LoggedPeer(name, directory, is_full)


def run_writes(name, scenario, directory, workload):
    posts, operations = read_posts(workload), read_operations(workload)
    peer = open_peer(name, directory, is_full=scenario.endswith(".full"))
    is_single = scenario.startswith("single")
    commits = batches(operations, 1 if is_single else 1000)
    memory = Memory()
    times = []
    watch = Stopwatch(directory)
    before = time.perf_counter()
    for commit in commits:
        peer.write(posts, commit)
        after = time.perf_counter()
        times.append((after - before) * 1e6)
        before = after
    measurement = watch.measurement(name, scenario, len(operations))
    if is_single:
        measurement["p50Microseconds"] = percentile(times, 0.5)
        measurement["p99Microseconds"] = percentile(times, 0.99)
    before = time.perf_counter()
    peer.close()
    measurement["closeSeconds"] = time.perf_counter() - before
    measurement["peakMemoryBytes"] = memory.peak()
    measurement["directoryBytes"] = directory_bytes(directory)
    if isinstance(peer, LoggedPeer):
        measurement["logBytes"] = peer.log.size()
    emit(measurement)
    if scenario == "batch.relaxed":
        run_reads(name, directory, peer, live_posts(posts, operations), len(operations))


def run_reads(name, directory, peer, live, event_count):
    document = peer.document
    watch = Stopwatch(directory)
    for id in live:
        document.get(id)
    emit(watch.measurement(name, "get", len(live)))
    updates = list(peer.log.read())
    fresh = crdt_peers.PEERS[name]()
    watch = Stopwatch(directory)
    fresh.load(updates)
    emit(watch.measurement(name, "replay", event_count))


def run_merge(name, scenario, directory, workload):
    posts, operations = read_posts(workload), read_operations(workload)
    local = crdt_peers.PEERS[name]()
    for commit in batches(operations):
        local.write(posts, commit)
    foreign = local.fork()
    updates = []
    edits = read_edits(workload, "foreign")
    for batch in batches(edits):
        updates.append(foreign.edit(posts, batch))
    for batch in batches(read_edits(workload, "local")):
        local.edit(posts, batch)
    log = AppendLog(directory, is_full=True)
    watch = Stopwatch(directory)
    local.merge(foreign, updates)
    log.append(b"".join(updates))
    emit(watch.measurement(name, scenario, len(edits)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--available", action="store_true")
    parser.add_argument("--peer", choices=MODULES)
    parser.add_argument("--scenario")
    parser.add_argument("--directory")
    parser.add_argument("--workloads")
    options = parser.parse_args()
    if options.available:
        print(" ".join(available()))
        return
    os.makedirs(options.directory, exist_ok=True)
    run = run_merge if options.scenario.startswith("merge") else run_writes
    run(options.peer, options.scenario, options.directory, options.workloads)


if __name__ == "__main__":
    main()
