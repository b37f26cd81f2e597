type Listener = () => void

/** Whether the server can be reached; the banner and the retry read it. */
class Away {
  private is = false
  private readonly listeners = new Set<Listener>()

  readonly subscribe = (listener: Listener): Listener => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  readonly current = (): boolean => this.is

  lost(): void {
    this.set(true)
  }

  back(): void {
    this.set(false)
  }

  private set(value: boolean): void {
    if (this.is === value) return
    this.is = value
    this.listeners.forEach((listener) => listener())
  }
}

export const away = new Away()
