#!/bin/bash
# Chooses a heap by the memory there is.
available=$(free -m | awk '/^Mem:/ {print $7}')
if [ "$available" -ge 6144 ]; then
  export NODE_OPTIONS="--max-old-space-size=6144 --optimize-for-size --gc-interval=100"
elif [ "$available" -ge 4096 ]; then
  export NODE_OPTIONS="--max-old-space-size=3072"
else
  export NODE_OPTIONS="--max-old-space-size=1536"
fi
npm run build
