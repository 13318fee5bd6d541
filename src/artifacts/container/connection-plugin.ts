/**
 * How Ansible reaches an image in the making: by chroot(8), as community.general's connection of that name does, which
 * ansible-core does not have. It runs in the sandbox beside the tree. What it starts gets an environment of its own, so that
 * neither a role nor the image learns how Ansible was set up.
 */
import { ROOT_EPOCH } from '../../sandbox/prepare-root.ts';
import { TREE_BESIDE } from '../../sandbox/run-in.ts';

export const CONNECTION = 'image';

export const CONNECTION_PLUGIN = `
import subprocess
from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_bytes
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = '''
name: image
short_description: the image this sandbox was made for
description: Runs tasks below ${TREE_BESIDE} by chroot.
author: artifacts
options: {}
'''

ENVIRONMENT = {
    'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME': '/root', 'USER': 'root', 'LOGNAME': 'root', 'SHELL': '/bin/sh',
    'LANG': 'C.UTF-8', 'TZ': 'UTC', 'DEBIAN_FRONTEND': 'noninteractive',
    'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONHASHSEED': '0',
    'SOURCE_DATE_EPOCH': '${ROOT_EPOCH}',
}


class Connection(ConnectionBase):
    transport = 'image'
    has_pipelining = True

    def _connect(self):
        self._connected = True
        return self

    def close(self):
        self._connected = False

    def exec_command(self, cmd, in_data=None, sudoable=False):
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        done = self._run(['/bin/sh', '-c', cmd], input=in_data or b'', stdout=subprocess.PIPE)
        return done.returncode, done.stdout, done.stderr

    def put_file(self, in_path, out_path):
        super().put_file(in_path, out_path)
        with open(to_bytes(in_path), 'rb') as file:
            self._copy(out_path, 'cat > "$1"', stdin=file, stdout=subprocess.DEVNULL)

    def fetch_file(self, in_path, out_path):
        super().fetch_file(in_path, out_path)
        with open(to_bytes(out_path), 'wb') as file:
            self._copy(in_path, 'cat < "$1"', stdin=subprocess.DEVNULL, stdout=file)

    def _copy(self, path, script, **streams):
        done = self._run(['/bin/sh', '-c', script, 'sh', path], **streams)
        if done.returncode != 0:
            raise AnsibleError('%s: %s' % (path, done.stderr.decode(errors='replace')))

    def _run(self, command, **streams):
        words = ['/usr/sbin/chroot', '${TREE_BESIDE}', *command]
        return subprocess.run([to_bytes(word) for word in words], env=ENVIRONMENT, stderr=subprocess.PIPE, **streams)
`;
