# SPDX-License-Identifier: MIT
"""The devices that there are."""
import dataclasses

from ._library import Context, c_text, ffi, lib, text


@dataclasses.dataclass(frozen=True)
class Device:
    """A device, as `anole devices` lists it; numbers that are not known are 0."""

    id: str
    name: str
    vendor: str
    driver: str
    driver_version: str
    type: str
    backend: str
    backend_version: str
    compute_units: int
    cores: int
    numa_nodes: int
    clock_mhz: int
    simd_width: int
    registers: int
    max_work_group: int
    local_memory: int
    global_memory: int
    max_allocation: int
    cache_l1: int
    cache_l2: int
    cache_l3: int
    shares_host: bool
    simulated: bool
    properties: dict

    @classmethod
    def _of(cls, info):
        values = {}
        for field in dataclasses.fields(cls):
            if field.name == "properties":
                continue
            value = getattr(info, field.name)
            values[field.name] = text(value) if field.type is str else field.type(value)
        values["properties"] = {
            text(info.properties[i].name): info.properties[i].value
            for i in range(info.property_count)
        }
        return cls(**values)


class DeviceList:
    """Devices, and the context that they are of."""

    def __init__(self, context, threads):
        self.context = context
        pointer = ffi.new("struct anole_devices **")
        context.check(
            lambda error: lib.anole_devices_list(pointer, context.pointer, threads, error)
        )
        self.pointer = ffi.gc(pointer[0], lib.anole_devices_destroy)

    def find(self, selector):
        """`selector`: as of anole_devices_find(), or a Device, or None."""
        if isinstance(selector, Device):
            selector = selector.id
        found = ffi.new("struct anole_device_info **")
        word = c_text(selector)
        self.context.check(
            lambda error: lib.anole_devices_find(found, self.pointer, word, error)
        )
        return found[0]


def devices(*, threads=0):
    """The devices that there are.  `threads`: of those that share the host's cores; 0: all."""
    found = DeviceList(Context(), threads)
    return [
        Device._of(lib.anole_devices_get(found.pointer, i))
        for i in range(lib.anole_devices_count(found.pointer))
    ]
