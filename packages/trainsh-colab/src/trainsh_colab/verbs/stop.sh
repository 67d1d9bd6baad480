# shellcheck shell=sh
# Asks the cell of `train colab connect` (connections/cell.txt) to give the runtime back. Says `asked`, or `no-cell`.
if [ -e "$HOME/.trainsh-cell" ]; then
    : >"$HOME/.trainsh-stop" && echo asked
else
    echo no-cell
fi
