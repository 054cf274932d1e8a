# SPDX-License-Identifier: GPL-2.0
"""What the guest measured, by name; see guest.sh for the lines."""

COMMANDS = ("test-unit-ready", "inquiry", "read-10", "write-10", "refused")
SENDERS = ("nobody", "root")
# The kernel alone, and with audit switched on.
ALONE = ("none", "none-audit")


class Results:
    """Costs are medians, in instructions."""

    def __init__(self, path):
        self.kernel = "?"
        self.module = 0
        self.files = 0.0
        self.load, self.memory, self.slab, self.pr, self.many = {}, {}, {}, {}, []
        self.tool = []
        self.sg, self.switch, self.threads = {}, {}, {}
        # In the order of time: (configuration, {(command, sender): cost}).
        self.runs = []
        with open(path, encoding="utf-8") as lines:
            for words in map(str.split, lines):
                getattr(self, "_" + words[0])(*words[1:])

    def _kernel(self, version):
        self.kernel = version

    def _files(self, directories, size):
        self.files = int(size) / int(directories)

    def _module(self, size):
        self.module = int(size)

    def _cost(self, configuration, command, sender, _least, median):
        key = (command, sender)
        if not self.runs or self.runs[-1][0] != configuration or key in self.runs[-1][1]:
            self.runs.append((configuration, {}))
        self.runs[-1][1][key] = float(median)

    def _sg(self, configuration, command, sender, _least, median):
        self.sg[configuration, command, sender] = float(median)

    def _switch(self, threads, configuration, _least, median):
        self.switch[int(threads), configuration] = float(median)

    def _threads(self, threads, size):
        self.threads[int(threads)] = int(size)

    def _load(self, devices, insmod, rmmod):
        self.load[int(devices)] = (float(insmod), float(rmmod))

    def _memory(self, devices, slab, percpu):
        self.memory[int(devices)] = (int(slab), int(percpu))

    def _slab(self, devices, cache, size):
        self.slab.setdefault(int(devices), {})[cache] = int(size)

    def _pr(self, name, _least, median):
        self.pr[name] = float(median)

    def _tool(self, seconds, *words):
        self.tool.append((" ".join(words), f"{float(seconds):.2g}"))

    def _many(self, *words):
        self.many.append(" ".join(words))

    def configurations(self):
        """Their names, in order, without the kernel alone."""
        return [name for name, _ in self.runs if name not in (*ALONE, "warm-up")]

    def cost(self, configuration, command, sender):
        return dict(self.runs)[configuration][command, sender]

    def stock(self, configuration, command, sender):
        """The kernel alone, the mean of the measurements next before and next behind."""
        at = [name for name, _ in self.runs].index(configuration)
        alone = ALONE[configuration == "audit"]
        before = [costs for name, costs in self.runs[:at] if name == alone][-1:]
        behind = [costs for name, costs in self.runs[at:] if name == alone][:1]
        costs = [costs[command, sender] for costs in before + behind]
        return sum(costs) / len(costs)

    def ratio(self, configuration, command, sender):
        return self.cost(configuration, command, sender) / self.stock(
            configuration, command, sender
        )

    def sg_ratio(self, configuration, command):
        """Of nobody; the kernel alone is as before and behind."""
        return self.sg[configuration, command, "nobody"] / self.sg["none", command, "nobody"]

    def drift(self):
        """The widest difference between two measurements of the kernel alone, as a ratio."""
        def widest(alone):
            costs = [costs for name, costs in self.runs if name == alone]
            return max(max(c[key] for c in costs) / min(c[key] for c in costs) - 1 for key in costs[0])

        return max(map(widest, ALONE))

    def per_device(self):
        """Bytes per device, from the fewest devices but one to the most: slab and per-CPU."""
        counts = sorted(n for n in self.memory if n > 1)
        few, most = counts[0], counts[-1]
        return [
            (self.memory[most][kind] - self.memory[few][kind]) / (most - few) for kind in (0, 1)
        ]
