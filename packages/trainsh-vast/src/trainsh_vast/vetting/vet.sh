#!/bin/sh
# vet.sh SECONDS URL: measures this machine for SECONDS, and prints a line `NAME NUMBER` for each figure. If a
# figure cannot be measured, because a program is missing, it has no line. The network is measured with a download
# of URL/__down?bytes=N and an upload to URL/__up. The names are: gpus, memory (MB of the smallest GPU), driver,
# cuda, free (GB), disk (MB/s written), down and up (Mb/s), tflops (fp32).
set -u
part=$(($1 / 5 > 0 ? $1 / 5 : 1)) url=$2
has() { command -v "$1" >/dev/null 2>&1; }
limited() { # SECONDS COMMAND...: runs COMMAND; if this machine has `timeout`, for at most SECONDS
  if has timeout; then timeout "$@"; else shift && "$@"; fi
}
uptime() { # prints the time since the machine was started, in hundredths of a second
  IFS=' ' read -r up _ </proc/uptime && printf '%s%s\n' "${up%.*}" "${up#*.}"
}

if has nvidia-smi; then
  limited "$part" nvidia-smi --query-gpu=memory.total,driver_version --format=csv,noheader,nounits | {
    gpus=0 memory='' driver=''
    while IFS=', ' read -r size version; do
      gpus=$((gpus + 1)) driver=$version
      if [ -z "$memory" ] || [ "$size" -lt "$memory" ]; then memory=$size; fi
    done
    printf 'gpus %s\n' "$gpus"
    if [ "$gpus" -gt 0 ]; then printf 'memory %s\ndriver %s\n' "$memory" "$driver"; fi
  }
  limited "$part" nvidia-smi | sed -n 's/.*CUDA Version: \([0-9.]*\).*/cuda \1/p'
else
  echo gpus 0
fi

file=$(mktemp "${HOME:-/root}/vet.XXXXXX") || exit 1
trap 'rm -f "$file"' EXIT
df -Pk "$file" | { read -r _ && read -r _ _ _ free _ && printf 'free %s\n' "$((free / 1000000))"; }
begun=$(uptime)
if limited "$part" dd if=/dev/zero of="$file" bs=1000000 count=256 conv=fsync 2>/dev/null; then
  took=$(($(uptime) - begun))
  printf 'disk %s\n' "$((25600 / (took > 0 ? took : 1)))"
fi

if has curl; then
  down=$(curl -s -m "$part" -o /dev/null -w '%{speed_download}' "$url/__down?bytes=200000000")
  case ${down%%[.,]*} in '' | 0) ;; *) printf 'down %s\n' "$((${down%%[.,]*} / 125000))" ;; esac
  up=$(curl -s -m "$part" -o /dev/null -w '%{speed_upload}' -X POST -H Expect: -T "$file" "$url/__up")
  case ${up%%[.,]*} in '' | 0) ;; *) printf 'up %s\n' "$((${up%%[.,]*} / 125000))" ;; esac
fi

if has python3; then
  limited "$part" python3 -c '
import time, torch
torch.backends.cuda.matmul.allow_tf32 = False
a = torch.randn(4096, 4096, device="cuda")
a @ a
torch.cuda.synchronize()
begun = time.time()
for _ in range(20):
    a @ a
torch.cuda.synchronize()
print("tflops", round(20 * 2 * 4096**3 / (time.time() - begun) / 1e12, 1))
' 2>/dev/null || :
fi
