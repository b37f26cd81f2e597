export default function SetAsidePage() { return null }
