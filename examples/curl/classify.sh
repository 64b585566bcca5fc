#!/bin/sh
# Classifies over HTTP and JSON, through Envoy: one text, then several of which one is wrong.
set -eu
base=${VERDICT_URL:-http://127.0.0.1:8080}

post() {
  curl --silent --show-error --fail-with-body --max-time 10 \
    --header 'content-type: application/json' --data "$2" "$base$1"
  echo
}

post /v1/models/sentiment:classify '{"text": "This movie was absolutely fantastic!"}'
post /v1:batchClassify '{"inputs": [{"text": "a gripping film"}, {"text": "  "}]}'
