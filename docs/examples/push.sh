#!/bin/sh
# A table by curl: push.sh URL TOKEN-FILE, for instance
#   push.sh http://127.0.0.1:8080/push/push token
set -eu
url=$1
token=$(head -n 1 "$2")

# The header comes from standard input: a command line can be read by everybody on the machine.
push() {
	printf 'header = "Authorization: Bearer %s"\n' "$token" |
		curl --silent --show-error --fail-with-body --config - --header 'Content-Type: application/json' --data "$1" "$url"
}

# All cars, once.
push '{"update": "full",
	"session": {"id": "demo", "series": "Shell Cup", "description": "Heat 1", "flag": "green", "elapsed": 0},
	"columns": ["Num", "State", "Driver", "Laps", "Gap", "Last", "Best", "Pits", {"title": "Fuel", "type": "numeric"}],
	"cars": [{"num": "7", "driver": "Ada Ash", "laps": 0, "values": {"Fuel": 60}},
	         {"num": "12", "driver": "Bea Beech", "laps": 0, "values": {"Fuel": 60}}]}'

# Then what changes, by car number.
push '{"cars": [{"num": "12", "laps": 1, "lastLap": 61.5, "totalTime": 61.5, "values": {"Fuel": 58}}]}'
push '{"cars": [{"num": "7", "laps": 1, "lastLap": 62.25, "totalTime": 62.25, "inPits": true}], "messages": ["rain is near"]}'
