. "$CASE/../npm-prepare.sh"
