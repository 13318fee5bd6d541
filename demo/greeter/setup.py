from setuptools import Extension, setup

setup(
    packages=["greeter"],
    ext_modules=[Extension("greeter._seal", ["greeter/_seal.c"], libraries=["z"])],
)
