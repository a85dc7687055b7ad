/** An effective value, and whether the file says so or it is OpenClaw's default. */
export interface Setting<T> {
  readonly value: T;
  readonly explicit: boolean;
}
