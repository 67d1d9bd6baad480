#!/bin/sh
# Imitates nvidia-smi: prints the GPUs of the instance's offer. It is called as:
# nvidia-smi [--query-gpu=NAME,... --format=csv,noheader,nounits] [-L]
value() { tr '\0' '\n' </proc/1/environ | sed -n "s/^$1=//p"; }
count=$(value GPU_COUNT) name=$(value SANDBOX_GPU) memory=$(value SANDBOX_GPU_MEMORY) driver=$(value SANDBOX_DRIVER)
cuda=$(value SANDBOX_CUDA) fields='' header=yes units=' MiB'
for word in "$@"; do
  case $word in
  --query-gpu=*) fields=${word#*=} ;;
  --format=*)
    case $word in *noheader*) header=no ;; esac
    case $word in *nounits*) units='' ;; esac
    ;;
  esac
done
if [ -n "$fields" ] && [ "$header" = yes ]; then echo "$fields" | sed 's/,/, /g'; fi
number=0
while [ "$number" -lt "${count:-0}" ]; do
  if [ "${1-}" = -L ]; then
    echo "GPU $number: $name"
  elif [ -n "$fields" ]; then
    echo "$fields" | tr ',' '\n' | while read -r field; do
      case $field in
      index) echo "$number" ;;
      name | gpu_name) echo "$name" ;;
      memory.total) echo "$memory$units" ;;
      memory.used) echo "0$units" ;;
      driver_version) echo "$driver" ;;
      utilization.gpu) echo 0 ;;
      *) echo '[N/A]' ;;
      esac
    done | paste -sd, | sed 's/,/, /g'
  elif [ "$number" = 0 ]; then
    echo "NVIDIA-SMI $driver   Driver Version: $driver   CUDA Version: $cuda"
    echo "$count x $name, $memory MiB (a GPU of the sandbox: it computes nothing)"
  fi
  number=$((number + 1))
done
