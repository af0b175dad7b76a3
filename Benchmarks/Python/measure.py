"""Time, processor time, memory and flushes, printed as the Swift side reads them."""

import json
import os
import time


def _status(name):
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith(name):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _flush_count(directory):
    device = os.stat(directory).st_dev
    try:
        with open("/proc/diskstats") as lines:
            for line in lines:
                fields = line.split()
                if (int(fields[0]), int(fields[1])) == (os.major(device), os.minor(device)):
                    return int(fields[18])
    except (OSError, IndexError):
        pass
    return None


class Memory:
    """The peak beyond what is held at the start: the workload and Python itself."""

    def __init__(self):
        try:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            pass
        self.start = _status("VmRSS:")

    def peak(self):
        return max(0, _status("VmHWM:") - self.start)


class Stopwatch:
    def __init__(self, directory):
        self.directory = directory
        self.flushes = _flush_count(directory)
        self.processor = time.process_time()
        self.wall = time.perf_counter()

    def measurement(self, peer, row, count):
        seconds = time.perf_counter() - self.wall
        processor = time.process_time() - self.processor
        result = {
            "peer": peer,
            "row": row,
            "round": 0,
            "operationCount": count,
            "seconds": seconds,
            "processorSeconds": processor,
        }
        flushes = _flush_count(self.directory)
        if flushes is not None and self.flushes is not None:
            result["flushCount"] = flushes - self.flushes
        return result


def emit(measurement):
    print(json.dumps(measurement), flush=True)


def percentile(values, fraction):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def directory_bytes(directory):
    total = 0
    for folder, _, names in os.walk(directory):
        total += sum(os.stat(os.path.join(folder, name)).st_blocks * 512 for name in names)
    return total
