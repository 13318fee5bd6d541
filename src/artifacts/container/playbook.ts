/** What Ansible is told: the play, the inventory and its settings. Pure. */
import { basename } from 'node:path';
import { ROOT_EPOCH } from '../../sandbox/prepare-root.ts';
import { CONNECTION } from './connection-plugin.ts';
import type { ImageRoles } from './spec.ts';

/** Facts that belong to the image, whatever machine makes it. Of processors, memory, addresses and mounts nothing is known. */
const GATHERED = ['!all', '!min', 'distribution', 'env', 'lsb', 'pkg_mgr', 'platform', 'python', 'service_mgr', 'user'];

/** Facts that would be of the machine or of the moment. */
const FIXED = { ansible_kernel: '0', ansible_kernel_version: '0', ansible_date_time: dateFacts(ROOT_EPOCH) };

/** Roles in their order, after the facts. JSON, which is YAML too. */
export function playbook({ roles }: ImageRoles): string {
  const facts = [
    { name: 'Gather what is the image\'s own', setup: { gather_subset: GATHERED }, tags: ['always'] },
    { name: 'Fix what is not', set_fact: { ...FIXED, cacheable: true }, tags: ['always'] },
  ];
  const play = { hosts: 'all', gather_facts: false, pre_tasks: facts, roles: roles.map(({ path, vars }) => ({ ...vars, role: basename(path) })) };
  return JSON.stringify([play], undefined, 2);
}

/** One host, called like the image. */
export function inventory(host: string, { interpreter, groups }: { readonly interpreter: string; readonly groups: readonly string[] }): string {
  const own = { ansible_connection: CONNECTION, ansible_user: 'root', ansible_python_interpreter: interpreter };
  const children = Object.fromEntries([...new Set([`${host}_all`, ...groups])].map((group) => [group, { hosts: { [host]: {} } }]));
  return JSON.stringify({ all: { hosts: { [host]: own }, children } }, undefined, 2);
}

/** Everything Ansible writes lies in memory, and goes with the sandbox. */
export function ansibleEnvironment(folder: string): Readonly<Record<string, string>> {
  return {
    HOME: OWN,
    USER: 'root',
    ANSIBLE_HOME: OWN,
    ANSIBLE_LOCAL_TEMP: `${OWN}/local`,
    ANSIBLE_REMOTE_TEMP: `${OWN}/remote`,
    ANSIBLE_ASYNC_DIR: `${OWN}/async`,
    ANSIBLE_ROLES_PATH: `${folder}/roles`,
    ANSIBLE_CONNECTION_PLUGINS: `${folder}/plugins`,
    // Every image has su(1). Users of services have no shell of their own.
    ANSIBLE_BECOME_METHOD: 'su',
    ANSIBLE_SU_FLAGS: '-s /bin/sh',
    ANSIBLE_PIPELINING: 'True',
    ANSIBLE_FORKS: '1',
    ANSIBLE_NOCOLOR: 'True',
    ANSIBLE_NOCOWS: 'True',
    ANSIBLE_RETRY_FILES_ENABLED: 'False',
    // Where handlers are left out, tasks that notify them are fine.
    ANSIBLE_ERROR_ON_MISSING_HANDLER: 'False',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONHASHSEED: '0',
  };
}

const OWN = '/dev/shm/ansible';

/** As the module `setup` has them. */
function dateFacts(seconds: number): Readonly<Record<string, string>> {
  const iso = new Date(seconds * 1000).toISOString().replace('.000', '');
  const [date = '', time = ''] = iso.replace('Z', '').split('T');
  const [year = '', month = '', day = ''] = date.split('-');
  const [hour = '', minute = '', second = ''] = time.split(':');
  const basic = `${year}${month}${day}T${hour}${minute}${second}`;
  const week = new Date(seconds * 1000).getUTCDay();
  return {
    date,
    day,
    epoch: String(seconds),
    epoch_int: String(seconds),
    hour,
    iso8601: iso,
    iso8601_basic: `${basic}000000`,
    iso8601_basic_short: basic,
    iso8601_micro: iso.replace('Z', '.000000Z'),
    minute,
    month,
    second,
    time,
    tz: 'UTC',
    tz_dst: 'UTC',
    tz_offset: '+0000',
    weekday: ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][week] ?? '',
    weekday_number: String(week),
    year,
  };
}
