for i in $(seq -w 1 32); do cp "$CASE/suite.test.js.template" "suite$i.test.js"; done
. "$CASE/../npm-prepare.sh"
