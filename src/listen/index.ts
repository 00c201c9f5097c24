/** The one door to the listener. */
export { type ListenFlags, type MachineListener, openMachineListener } from './serve.ts'
