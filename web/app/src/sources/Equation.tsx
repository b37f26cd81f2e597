import type { RunRow } from '../api/types'
import { count } from '../format/quantity'
import { useLanguage } from '../i18n'

const share = (part: number, whole: number): string => `${whole > 0 ? (part / whole) * 100 : 0}%`

/** read = applied + unchanged + set aside, in figures and as one bar. */
export function Equation({ run }: { run: RunRow }) {
  const { t } = useLanguage()
  const holds = run.read === run.applied + run.unchanged + run.set_aside
  return (
    <>
      <div className="equation">
        <span className="equation__term">
          <b className="num">{count(run.read)}</b> {t('runs.read')}
        </span>
        <span className="equation__sign">{holds ? '=' : '≠'}</span>
        <span className="equation__term equation__term--applied">
          <b className="num">{count(run.applied)}</b> {t('runs.applied')}
        </span>
        <span className="equation__sign">+</span>
        <span className="equation__term equation__term--unchanged">
          <b className="num">{count(run.unchanged)}</b> {t('runs.unchanged')}
        </span>
        <span className="equation__sign">+</span>
        <span className="equation__term equation__term--set-aside">
          <b className="num">{count(run.set_aside)}</b> {t('runs.set_aside')}
        </span>
      </div>
      <div className="equation__bar" aria-hidden="true">
        <i className="equation__part--applied" style={{ width: share(run.applied, run.read) }} />
        <i className="equation__part--unchanged" style={{ width: share(run.unchanged, run.read) }} />
        <i className="equation__part--set-aside" style={{ width: share(run.set_aside, run.read) }} />
      </div>
      <p className={holds ? 'muted small' : 'bad'}>
        {holds ? t('run.holds') : run.state === 'running' ? t('run.counting') : t('run.broken')}
      </p>
    </>
  )
}
