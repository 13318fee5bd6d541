export default {
  files: ['build/test/**/*.test.js'],
  concurrency: 2,
  // A process for each file: signals, exit hooks and the native database driver stay within it.
  workerThreads: false,
  timeout: '2m',
  environmentVariables: { TZ: 'UTC', LC_ALL: 'C.UTF-8' },
};
