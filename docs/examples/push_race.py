#!/usr/bin/env python3
"""A small race, pushed lap by lap: push_race.py URL TOKEN-FILE [--laps N] [--pace SECONDS]

    push_race.py http://127.0.0.1:8080/push/push token

Nothing but the standard library. A refused message ends it with the sentence
that names the field; when the server is busy or away it tries again.
"""
import argparse
import json
import random
import sys
import time
import urllib.error
import urllib.request


def push(url, token, message):
    """Send one message; returns the answer."""
    while True:
        request = urllib.request.Request(
            url,
            data=json.dumps(message).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code not in (429, 503):
                sys.exit(f"refused ({error.code}): {error.read().decode(errors='replace').strip()}")
            time.sleep(float(error.headers.get("Retry-After") or 1))
        except urllib.error.URLError as error:
            print(f"no answer, trying again: {error.reason}", file=sys.stderr)
            time.sleep(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("token_file")
    parser.add_argument("--laps", type=int, default=10)
    parser.add_argument("--pace", type=float, default=5.0, help="seconds between two laps")
    args = parser.parse_args()
    with open(args.token_file, encoding="ascii") as file:
        token = file.readline().strip()

    drivers = {"3": "Cid Cedar", "7": "Ada Ash", "12": "Bea Beech"}
    totals = dict.fromkeys(drivers, 0.0)
    chance = random.Random(71)
    push(args.url, token, {
        "update": "full",
        "session": {"id": f"race-{time.time():.0f}", "series": "Python Cup", "description": "Sprint",
                    "kind": "race", "flag": "green", "elapsed": 0, "lapsRemain": args.laps},
        "cars": [{"num": num, "driver": name, "laps": 0} for num, name in drivers.items()],
    })
    for lap in range(1, args.laps + 1):
        time.sleep(args.pace)
        cars = []
        for num in drivers:
            sectors = [round(20 + chance.random(), 3) for _ in range(3)]
            totals[num] = round(totals[num] + sum(sectors), 3)
            cars.append({"num": num, "laps": lap, "sectors": sectors, "lastLap": round(sum(sectors), 3),
                         "totalTime": totals[num]})
        flag = "chequered" if lap == args.laps else "green"
        answer = push(args.url, token, {"session": {"flag": flag, "lapsRemain": args.laps - lap}, "cars": cars})
        print(f"lap {lap}: {answer['cars']} cars", flush=True)


if __name__ == "__main__":
    main()
