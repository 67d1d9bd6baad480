# Prints the names that the recipe on the command line defines with the word $defines: `host`, `storage` or `var`.
# shellcheck shell=sh disable=SC2154 # config, typed and defines come from complete.sh and the other kinds
printf '%s\n' "$typed" | while IFS= read -r word; do
  for file in "$config/recipes/$word.recipe" "./$word.recipe" "$word"; do
    if [ -f "$file" ]; then
      awk -v kind="$defines" '
        $1 == kind && $3 == "=" { name = $2; $1 = $2 = $3 = ""; sub(/^ +/, ""); print name "=\t" $0 }' "$file"
      break
    fi
  done
done
