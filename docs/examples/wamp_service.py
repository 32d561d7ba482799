#!/usr/bin/env python3
"""A whole timing service over WAMP, in Python: wamp_service.py URL

    apt-get install python3-autobahn
    LIVETIMING_SHARED_SECRET=... wamp_service.py ws://127.0.0.1:8080/ws

What makes a service (docs/services.md):
 1. join the realm "timing" with the secret, as role "services";
 2. register livetiming.service.isAlive.UUID and livetiming.service.requestState.UUID;
 3. say the manifest on livetiming.control (class 2), now and whenever a
    directory asks (class 1);
 4. publish every state on livetiming.service.UUID, retained, at least once a
    minute, so that it counts as live. Class 4 is the state as it is; class 8 is
    its text packed by LZString, which saves bytes.
"""
import asyncio
import os
import sys
import time
import uuid as uuids

from autobahn.asyncio.wamp import ApplicationRunner, ApplicationSession
from autobahn.wamp import auth
from autobahn.wamp.types import PublishOptions, RegisterOptions

UUID = os.environ.get("SERVICE_UUID") or uuids.uuid4().hex
MANIFEST = {
    "uuid": UUID,
    "name": "Python Cup",
    "serviceClass": "python_example",
    "description": "Heat 1",
    "colSpec": [
        ["Num", "text", "Car number"], ["State", "text"], ["Driver", "text"], ["Laps", "numeric"],
        ["Gap", "delta", "Gap to leader"], ["Last", "time", "Last lap time"],
    ],
    "trackDataSpec": [],
    "pollInterval": 1,
    "hasAnalysis": False,
    "hidden": False,
}


def envelope(message_class, payload, retain=False):
    return {"msgClass": message_class, "date": int(time.time() * 1000), "payload": payload, "retain": retain}


class Service(ApplicationSession):
    laps = 0

    def onConnect(self):
        self.join("timing", ["wampcra"], "services")

    def onChallenge(self, challenge):
        secret = os.environ["LIVETIMING_SHARED_SECRET"].encode()
        return auth.compute_wcs(secret, challenge.extra["challenge"].encode()).decode()

    def state(self):
        return {
            "cars": [
                ["7", "RUN", "Ada Ash", self.laps, "", [61.25, "pb" if self.laps > 1 else ""]],
                ["12", "RUN", "Bea Beech", self.laps, 0.75, [61.5, ""]],
            ],
            "session": {"flagState": "green", "timeElapsed": self.laps * 61.5, "timeRemain": 0},
            "messages": [],
            "highlight": [],
        }

    def announce(self):
        self.publish("livetiming.control", envelope(2, MANIFEST))

    def on_control(self, message):
        if isinstance(message, dict) and message.get("msgClass") == 1:
            self.announce()

    async def onJoin(self, details):
        force = RegisterOptions(force_reregister=True)
        await self.register(lambda: True, f"livetiming.service.isAlive.{UUID}", force)
        await self.register(self.state, f"livetiming.service.requestState.{UUID}", force)
        await self.subscribe(self.on_control, "livetiming.control")
        self.announce()
        print(f"serving {UUID}", flush=True)
        while self.is_connected():
            self.laps += 1
            self.publish(f"livetiming.service.{UUID}", envelope(4, self.state(), True),
                         options=PublishOptions(retain=True))
            await asyncio.sleep(1)


if __name__ == "__main__":
    url = sys.argv[1] if len(sys.argv) > 1 else "ws://127.0.0.1:8080/ws"
    ApplicationRunner(url, "timing").run(Service)
