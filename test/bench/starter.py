# Starts one program after the other for test/bench/starter.ts: a small process starts and reaps faster and more evenly than Node does, and
# wait4 tells the memory of this very child. A line of JSON in, a line of JSON out. The largest resident set of a child counts from its
# start in our memory, so what is smaller than ours (10 MiB) cannot be told.
import json, os, resource, select, signal, sys, time

DEADLINE = 60
# Asked for here, so that a Python without them ends before it is relied on.
SPAWN, EXIT_STATUS = os.posix_spawn, os.waitstatus_to_exitcode


def run(args, env):
    reading, writing = os.pipe()
    actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_DUP2, writing, 2)]
    said = []
    started = time.perf_counter_ns()
    pid = SPAWN(args[0], args, env, file_actions=actions)
    os.close(writing)
    while True:
        if not select.select([reading], [], [], DEADLINE)[0]:
            os.kill(pid, signal.SIGKILL)
            said.append(b"\nno output and no end for a minute")
            break
        part = os.read(reading, 65536)
        if not part:
            break
        said.append(part)
    _, status, usage = os.wait4(pid, 0)
    ended = time.perf_counter_ns()
    os.close(reading)
    return {
        "started": started,
        "ended": ended,
        "cpu": usage.ru_utime + usage.ru_stime,
        "status": EXIT_STATUS(status),
        "kib": usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1),
        "output": b"".join(said).decode("utf8", "replace"),
    }


own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)
print(json.dumps({"python": sys.version.split()[0], "kib": own}), flush=True)
for line in sys.stdin:
    job = json.loads(line)
    try:
        answer = run(job["args"], job["env"])
    except OSError as error:
        answer = {"error": str(error)}
    print(json.dumps(answer), flush=True)
