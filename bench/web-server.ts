import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface WebServer extends AsyncDisposable {
  readonly url: string;
}

/** nginx over a folder, on a free port of loopback, with a configuration of its own; gone at the end of the scope. */
export async function startWebServer(folder: string, scratch: string): Promise<WebServer> {
  const port = await freePort();
  mkdirSync(scratch, { recursive: true });
  const file = join(scratch, 'nginx.conf');
  writeFileSync(file, configuration({ folder, scratch, port }));
  const nginx = spawn('nginx', ['-c', file, '-e', join(scratch, 'nginx-error.log')], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  const ended = once(nginx, 'exit');
  const url = `http://127.0.0.1:${port}/`;
  await untilServing(`${url}dists/`, ended);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      nginx.kill('SIGQUIT');
      await ended;
    },
  };
}

async function untilServing(url: string, ended: Promise<unknown>): Promise<void> {
  const stopped = ended.then(() => {
    throw new Error('nginx did not start; see nginx-error.log in the folder of the bench');
  });
  const answers = async (): Promise<void> => {
    for (;;) {
      const answer = await fetch(url).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer !== undefined) return;
      await sleep(50);
    }
  };
  stopped.catch(() => {}); // the regular end
  await Promise.race([answers(), stopped]);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

interface Place {
  readonly folder: string;
  readonly scratch: string;
  readonly port: number;
}

/** Keep-alive without end, as many real archives have it nearly so; no log, the disk is for the contenders. */
function configuration({ folder, scratch, port }: Place): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `${user}
daemon off;
worker_processes 1;
pid ${scratch}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 300s;
  keepalive_requests 1000000;
  ${temporary.map((name) => `${name}_temp_path ${scratch}/${name};`).join('\n  ')}
  server { listen 127.0.0.1:${port}; root ${folder}; autoindex on; }
}
`;
}
