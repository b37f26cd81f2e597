import type { RoutingCandidate } from '../api/types'
import { quantity } from '../format/quantity'
import { useLanguage } from '../i18n'
import '../parts/Flags.css'
import '../parts/Table.css'

/** The operations of a routing, with their minutes. */
export function RoutingSteps({ operations }: { operations: RoutingCandidate['operations'] }) {
  const { t } = useLanguage()
  return (
    <div className="table-wrap routing__steps">
      <table className="table table--cards">
        <thead>
          <tr>
            <th scope="col">{t('routing.operation')}</th>
            <th scope="col">{t('routing.centre')}</th>
            <th scope="col" className="table__right">
              {t('routing.setup')}
            </th>
            <th scope="col" className="table__right">
              {t('routing.run')}
            </th>
          </tr>
        </thead>
        <tbody>
          {operations.map((step) => (
            <tr key={step.seq}>
              <td className="table__lead">
                <span className="muted num">{step.seq}</span> {step.name || step.process}
                {step.outside && <span className="flag flag--hold routing__outside">{t('station.outside')}</span>}
              </td>
              <td>{(step.outside ? step.supplier : step.work_centre) ?? '–'}</td>
              <td className="num table__right" data-label={t('routing.setup')}>
                {quantity(step.setup_min)}
              </td>
              <td className="num table__right" data-label={t('routing.run')}>
                {quantity(step.run_min_per_piece)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
