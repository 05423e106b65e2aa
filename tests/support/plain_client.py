"""One of the plain programs: card 1, card 2 or a display in a few lines, with paho-mqtt from PyPI.

    plain_client.py ROLE PORT        ROLE is card1_monitor, card2_monitor or global_display

It speaks exactly the plain payload: no version, no time, no heartbeat. A number on its input toggles that sensor; each
change that it hears or makes is a line of six words on its output. It ends with its input.
"""

import json
import sys

import paho.mqtt.client as mqtt

ROLE, PORT = sys.argv[1], int(sys.argv[2])
OWN = {"card1_monitor": [1, 2, 3], "card2_monitor": [4, 5, 6], "global_display": []}[ROLE]
states = {f"sensor_{n}": True if n in OWN else None for n in range(1, 7)}
restored = False


def show():
    words = {True: "OK", False: "KO", None: "UNKNOWN"}
    print(*(words[states[f"sensor_{n}"]] for n in range(1, 7)), flush=True)


def publish(client):
    if ROLE == "card1_monitor":
        said = {f"sensor_{n}": states[f"sensor_{n}"] for n in OWN}
        client.publish("sensors/card1", json.dumps(said), qos=2, retain=True)
    elif ROLE == "card2_monitor":
        client.publish("sensors/all", json.dumps(states), qos=2, retain=True)


def on_connect(client, *_):
    topics = {"card1_monitor": ["sensors/all"], "card2_monitor": ["sensors/all", "sensors/card1"]}
    client.subscribe([(topic, 2) for topic in topics.get(ROLE, ["sensors/all"])])


def on_message(client, _, message):
    global restored
    heard = json.loads(message.payload)
    echo = message.topic == "sensors/all" and ROLE == "card2_monitor"
    for key in states.keys() & heard.keys():
        own = int(key[-1]) in OWN
        # Its own sensors are restored once, from what the broker had retained and knows.
        recalled = message.retain and not restored and heard[key] is not None
        if recalled or (not own and not echo):
            states[key] = heard[key]
    restored = restored or message.topic == "sensors/all"
    if message.topic == "sensors/card1":
        publish(client)
    show()


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=ROLE, clean_session=False)
client.on_connect, client.on_message = on_connect, on_message
client.connect("127.0.0.1", PORT)
client.loop_start()
for line in sys.stdin:
    sensor = f"sensor_{line.strip()}"
    if line.strip() and int(line) in OWN:
        states[sensor] = not states[sensor]
    publish(client)
    show()
client.loop_stop()
client.disconnect()
