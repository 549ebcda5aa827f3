"""Asks for the pods through the official Python client, some times: python_caller.py ROUNDS PAUSE-SECONDS. One line a request."""

import sys
import time

from kubernetes import client, config

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 1
pause = float(sys.argv[2]) if len(sys.argv) > 2 else 0
config.load_kube_config()
api = client.CoreV1Api()
for number in range(rounds):
    if number > 0:
        time.sleep(pause)
    print(",".join(pod.metadata.name for pod in api.list_namespaced_pod("default").items))
