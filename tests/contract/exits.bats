#!/usr/bin/env bats
# Every exit status that a class of errors owns is in the documentation's table, and in the design's range.

@test "the exit codes of the classes are those of docs/protocol.md" {
  root=${BATS_TEST_DIRNAME%/tests/contract}
  run python -c '
from trainsh_base.errors import BY_STATUS, TrainError
kinds, left = [], [TrainError]
while left:
    kind = left.pop(); kinds.append(kind); left += kind.__subclasses__()
assert {k.exit_status for k in kinds} == set(BY_STATUS), "an exit status without a class of its own"
print("\n".join(str(status) for status in sorted(BY_STATUS)))'
  [ "$status" = 0 ]
  for code in $output; do grep -q "^| $code |" "$root/docs/protocol.md"; done
}
