"""What must differ between instances of one memory image: every generator that was seeded before the image was taken.
`os.urandom`, `secrets`, `uuid4` and the clocks ask the host each time."""

import sys

# Generators of packages in an image, which took their seed from the host (src/adapters/plugin-runtime/make-image.ts).
generators = []


def reseed():
    random = sys.modules.get("random")
    if random is not None:
        random.seed()
        for generator in generators:
            random.Random.seed(generator)
    uuid = sys.modules.get("uuid")
    if uuid is not None:
        uuid._node = None
        uuid._last_timestamp = None
    tempfile = sys.modules.get("tempfile")
    if tempfile is not None:
        tempfile._name_sequence = None
