/** The one door to services. */
export { type System, servicePlan } from './plan.ts'
export { installService, type ServiceState, serviceState, uninstallService } from './service.ts'
export type { FileState, ServicePlan } from './types.ts'
