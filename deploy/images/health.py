"""A container's health check, without curl or a shell: checks that the process serves its
metrics.
"""

import urllib.request

urllib.request.urlopen("http://127.0.0.1:9100/metrics", timeout=4).close()
