/** Everything a person may see of a run in progress. Reporters are equal consumers; throttling is their business. */
export type Event =
  | PhaseEvent
  | ProgressEvent
  | ProgressEndEvent
  | NoteEvent
  | WarningEvent
  | WaitingEvent
  | NodeEvent;

/** A step of a command begins: "debian-bookworm: reading Packages". */
export interface PhaseEvent {
  readonly type: 'phase';
  readonly subject: string;
  readonly text: string;
}

/** How far a long step is. `done` and `total` count `unit`; a total that grows is allowed. */
export interface ProgressEvent {
  readonly type: 'progress';
  /** Equal for all events of one bar. */
  readonly id: string;
  readonly label: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'files' | 'packages';
}

export interface ProgressEndEvent {
  readonly type: 'progress-end';
  readonly id: string;
}

export interface NoteEvent {
  readonly type: 'note';
  readonly message: string;
}

export interface WarningEvent {
  readonly type: 'warning';
  readonly message: string;
}

/** A lock is held by somebody else. Reported once when the waiting begins and when the holder changes. */
export interface WaitingEvent {
  readonly type: 'waiting';
  readonly lock: string;
  readonly holder: LockHolder | undefined;
}

/** Who holds a lock: written beside it for people, never trusted for the lock itself. */
export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** A node of a release build changed its state. */
export interface NodeEvent {
  readonly type: 'node';
  readonly node: string;
  readonly state: 'running' | 'done' | 'fresh' | 'failed' | 'blocked';
  readonly detail?: string;
}
