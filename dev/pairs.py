"""For dev/pairs.sh: what a real pair sends to a hub, and many simulated pairs that send the same.

    pairs.py record PORT PAIR SECONDS FILE      writes what arrives at the hub below PAIR/
    pairs.py table FILE                         prints what was recorded: topic, QoS, retained, messages, bytes
    pairs.py replay PORT COUNT FILE WHAT        COUNT pairs send it, again and again; WHAT is all, or states

`replay` also runs the display of the hub. It prints `ready` when everybody is connected and each pair has sent its
retained states. At each line on its input it prints how many messages the pairs have sent and how many the display has
received since the line before. It ends with its input.
"""

import heapq
import json
import selectors
import sys
import time
from collections import defaultdict

import paho.mqtt.client as mqtt
from paho.mqtt.properties import Properties
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

KEEPALIVE = 10


def record(port: int, pair: str, seconds: float, file: str) -> None:
    """First the retained messages, which are as old as they are, and then the live ones with their times."""
    opening, stream = [], []
    begun = None

    def on_message(_client, _userdata, message):
        topic = message.topic.removeprefix(f"{pair}/")
        said = [topic, message.qos, message.retain, message.payload.decode()]
        if begun is None:
            opening.append(said)
        elif time.monotonic() < begun + seconds:
            stream.append([time.monotonic() - begun, *said])

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"recorder-{pair}", protocol=mqtt.MQTTv5)
    client.on_message = on_message
    client.connect("127.0.0.1", port, properties=Properties(PacketTypes.CONNECT))
    # The retain flag as the pair has set it, also on live messages.
    client.subscribe(f"{pair}/#", options=SubscribeOptions(qos=2, retainAsPublished=True))
    client.loop_start()
    time.sleep(1)
    begun = time.monotonic()
    time.sleep(seconds)
    client.loop_stop()
    client.disconnect()
    with open(file, "w", encoding="utf-8") as out:
        json.dump({"seconds": seconds, "opening": [said for said in opening if said[2]], "stream": stream}, out)


def table(file: str) -> None:
    with open(file, encoding="utf-8") as read:
        recorded = json.load(read)
    counts = defaultdict(list)
    for _, topic, qos, retain, payload in recorded["stream"]:
        counts[topic.replace("$", ""), qos, bool(retain)].append(len(payload.encode()))
    print(f"    {'topic':<34} QoS retained messages a minute  bytes of payload")
    for (topic, qos, retain), sizes in sorted(counts.items()):
        rate = len(sizes) * 60 / recorded["seconds"]
        print(f"    {topic:<34} {qos:>3} {'yes' if retain else 'no':>8} {rate:>17.1f} {sum(sizes) / len(sizes):>17.0f}")


class Crowd:
    """Connections of one thread: their sockets, and when each pair has something to send."""

    def __init__(self, port: int):
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.clients: list[mqtt.Client] = []
        self.connected = 0
        self.sent = 0
        self.received = 0
        self.due: list = []

    def add(self, name: str, user=None, on_connect=None) -> mqtt.Client:
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)

        def connected(client, _userdata, _flags, reason, _properties):
            if reason.is_failure:
                sys.exit(f"pairs.py: the hub refuses {name}: {reason}")
            self.connected += 1
            if on_connect:
                on_connect(client)

        def lost(_client, _userdata, _flags, reason, _properties):
            sys.exit(f"pairs.py: the hub has ended the connection of {name}: {reason}")

        client.on_connect, client.on_disconnect = connected, lost
        if user:
            client.username_pw_set(user)
        client.connect("127.0.0.1", self.port, keepalive=KEEPALIVE)
        self.selector.register(client.socket(), selectors.EVENT_READ, client)
        self.clients.append(client)
        return client

    def add_display(self) -> None:
        def subscribe(client):
            client.subscribe([("+/sensors/all", 2), ("+/sensors/+/alive", 0)])

        def on_message(*_):
            self.received += 1

        client = self.add("hub_display", on_connect=subscribe)
        client.on_message = on_message

    def step(self, seconds: float) -> bool:
        """What has come, or comes first within that time; says whether it was a line on stdin."""
        for key, _ in self.selector.select(seconds):
            if key.data is None:
                return True
            key.data.loop_read()
            while key.data.want_write():
                key.data.loop_write()
        return False

    def turn(self, until: float) -> bool:
        """Whatever comes until then; ends at once where there is a line on stdin, and says so."""
        while (left := until - time.monotonic()) > 0:
            if self.step(left):
                return True
        return False

    def wait_until(self, holds, what: str) -> None:
        end = time.monotonic() + 60
        while not holds():
            if time.monotonic() > end:
                sys.exit(f"pairs.py: not within 60 s: {what}")
            self.step(0.05)


def replay(port: int, count: int, file: str, what: str) -> None:
    with open(file, encoding="utf-8") as read:
        recorded = json.load(read)
    stream = [said for said in recorded["stream"] if what == "all" or said[2] > 0]
    crowd = Crowd(port)
    crowd.add_display()
    for number in range(1, count + 1):
        client = crowd.add(f"pair{number}_hub", f"pair{number}")
        crowd.wait_until(lambda: crowd.connected == len(crowd.clients), f"pair {number} is connected")
        for topic, qos, retain, payload in recorded["opening"]:
            client.publish(f"pair{number}/{topic}", payload, qos, retain)
    crowd.turn(time.monotonic() + 2)
    print("ready", flush=True)
    crowd.selector.register(sys.stdin, selectors.EVENT_READ, None)
    # Each pair is at another place of the recording, so that they do not all speak at one moment.
    begun = time.monotonic()
    for number in range(count):
        ahead = recorded["seconds"] * number / count
        for entry, (at, *_) in enumerate(stream):
            heapq.heappush(crowd.due, (begun + (at - ahead) % recorded["seconds"], number, entry))
    tidied = time.monotonic()
    while True:
        now = time.monotonic()
        while crowd.due and crowd.due[0][0] <= now:
            at, number, entry = heapq.heappop(crowd.due)
            heapq.heappush(crowd.due, (at + recorded["seconds"], number, entry))
            _, topic, qos, retain, payload = stream[entry]
            crowd.clients[number + 1].publish(f"pair{number + 1}/{topic}", payload, qos, retain)
            crowd.sent += 1
        if now > tidied + 1:
            tidied = now
            for client in crowd.clients:
                client.loop_misc()
        if crowd.turn(min(crowd.due[0][0] if crowd.due else now + 1, tidied + 1.01)):
            if not sys.stdin.readline():
                return
            print(crowd.sent, crowd.received, flush=True)
            crowd.sent = crowd.received = 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["record", port, pair, seconds, file]:
            record(int(port), pair, float(seconds), file)
        case ["table", file]:
            table(file)
        case ["replay", port, count, file, what]:
            replay(int(port), int(count), file, what)
        case _:
            sys.exit(__doc__)
