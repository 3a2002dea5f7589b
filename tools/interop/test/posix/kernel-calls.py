# Runs the calls of scenarios.ts on the kernel's sockets, through libc, and tells what each returned: a line of JSON a scenario.
import ctypes
import errno
import json
import os
import socket
import struct
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
PAUSE = 0.004


class Runner:
    def __init__(self):
        self.saved = {}

    def value(self, given):
        return self.saved.get(given, given) if isinstance(given, str) else given

    def checked(self, result):
        return errno.errorcode[ctypes.get_errno()].replace("EWOULDBLOCK", "EAGAIN").replace("ENOTSUP", "EOPNOTSUPP") if result < 0 else result

    def address(self, family, host, port):
        if family == socket.AF_INET6:
            return struct.pack("=H", family) + struct.pack("!HI", port, 0) + socket.inet_pton(family, host) + bytes(4)
        return struct.pack("=H", family) + struct.pack("!H", port) + socket.inet_pton(family, host) + bytes(8)

    def named(self, call, fd):
        room = ctypes.create_string_buffer(28)
        length = ctypes.c_int(28)
        result = self.checked(getattr(libc, call)(fd, room, ctypes.byref(length)))
        if result != 0:
            return result
        family = struct.unpack("=H", room.raw[:2])[0]
        port = struct.unpack("!H", room.raw[2:4])[0]
        raw = room.raw[4:8] if family == socket.AF_INET else room.raw[8:24]
        return socket.inet_ntop(family, raw) + " " + ("ephemeral" if port >= 32768 else str(port))

    def run(self, call, args):
        a = [self.value(each) for each in args]
        c = self.checked
        if call == "socket":
            return c(libc.socket(a[0], a[1], a[2]))
        if call == "bind" or call == "connect":
            raw = self.address(socket.AF_INET6 if ":" in a[1] else socket.AF_INET, a[1], a[2])
            return c(getattr(libc, call)(a[0], raw, len(raw)))
        if call == "disconnect":
            return c(libc.connect(a[0], bytes(16), 16))
        if call == "accept":
            return c(libc.accept4(a[0], None, None, a[1]))
        if call == "listen" or call == "shutdown" or call == "dup" or call == "close":
            return c(getattr(libc, call)(*a))
        if call == "fcntl":
            return c(libc.fcntl(a[0], a[1], ctypes.c_long(a[2])))
        if call == "ioctl":
            value = ctypes.c_int(0)
            result = c(libc.ioctl(a[0], ctypes.c_ulong(a[1]), ctypes.byref(value)))
            return value.value if result == 0 else result
        if call == "send":
            return c(libc.send(a[0], bytes(a[1]), a[1], a[2]))
        if call == "sendto":
            raw = self.address(socket.AF_INET, a[3], a[4])
            return c(libc.sendto(a[0], bytes(a[1]), a[1], a[2], raw, len(raw)))
        if call == "recv":
            return c(libc.recv(a[0], ctypes.create_string_buffer(max(1, a[1])), a[1], a[2]))
        if call == "setint":
            length = a[4] if len(a) > 4 else 4
            return c(libc.setsockopt(a[0], a[1], a[2], struct.pack("=i", a[3]), length))
        if call == "setlinger":
            return c(libc.setsockopt(a[0], 1, 13, struct.pack("=ii", a[1], a[2]), 8))
        if call == "settime":
            return c(libc.setsockopt(a[0], 1, a[1], struct.pack("=qq", a[2], a[3]), 16))
        if call == "setstring":
            return c(libc.setsockopt(a[0], a[1], a[2], a[3].encode(), len(a[3])))
        if call == "getint" or call == "getlength" or call == "getstring":
            room = ctypes.create_string_buffer(512)
            length = ctypes.c_int(512)
            result = c(libc.getsockopt(a[0], a[1], a[2], room, ctypes.byref(length)))
            if result != 0:
                return result
            if call == "getstring":
                return room.raw[: length.value].split(b"\0")[0].decode()
            return length.value if call == "getlength" else struct.unpack("=i", room.raw[:4])[0]
        if call == "poll":
            raw = ctypes.create_string_buffer(struct.pack("=ihh", a[0], a[1], 0), 8)
            c(libc.poll(raw, 1, 0))
            return struct.unpack("=ihH", raw.raw)[2]
        if call == "epoll_create1":
            return c(libc.epoll_create1(a[0]))
        if call == "epoll_ctl":
            event = None if len(a) < 4 else struct.pack("=IQ", a[3] & 0xFFFFFFFF, 7)
            return c(libc.epoll_ctl(a[0], a[1], a[2], event))
        if call == "epoll_wait":
            room = ctypes.create_string_buffer(12 * 8)
            result = c(libc.epoll_wait(a[0], room, a[1], 0))
            if isinstance(result, str):
                return result
            return " ".join(str(struct.unpack("=I", room.raw[12 * i : 12 * i + 4])[0]) for i in range(result))
        if call == "getsockname" or call == "getpeername":
            return self.named(call, a[0])
        raise ValueError(call)


for line in sys.stdin:
    scenario = json.loads(line)
    runner = Runner()
    first = set(os.listdir("/proc/self/fd"))
    results = []
    for step in scenario:
        result = runner.run(step["call"], step["args"])
        if "as" in step:
            runner.saved[step["as"]] = result
            result = result if isinstance(result, str) else "descriptor"
        results.append(result)
        time.sleep(PAUSE)
    for fd in set(os.listdir("/proc/self/fd")) - first:
        try:
            os.close(int(fd))
        except OSError:
            pass
    print(json.dumps(results), flush=True)
